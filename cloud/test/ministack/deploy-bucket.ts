import type { RelayManifest } from '../relay-manifest.ts';
import type { Ministack } from './ministack.ts';

/** Resolves with the bucket's name. Not signed: ministack asks for no signature unless it runs with `AUTH=true`. */
export async function deployBucket(
  ministack: Ministack,
  name: string,
  { prefixes, expireDays }: RelayManifest['bucket'],
): Promise<string> {
  const bucket = `${name}-objects`;
  const url = `${ministack.endpoint}/${bucket}`;
  await put(url);
  const rules = Object.values(prefixes).map(
    (prefix) =>
      `<Rule><ID>${prefix}</ID><Status>Enabled</Status><Filter><Prefix>${prefix}</Prefix></Filter>` +
      `<Expiration><Days>${expireDays}</Days></Expiration></Rule>`,
  );
  const body = `<LifecycleConfiguration>${rules.join('')}</LifecycleConfiguration>`;
  await put(`${url}?lifecycle`, body);
  return bucket;
}

async function put(url: string, body?: string): Promise<void> {
  const answer = await fetch(url, { method: 'PUT', ...(body === undefined ? {} : { body }) });
  const said = await answer.text();
  if (!answer.ok) throw new Error(`PUT ${url} answered ${answer.status}: ${said}`);
}
