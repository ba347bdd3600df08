import { temporaryEngine } from './server/temporary-engine.ts';
import { DynamoRegistry } from './registry/dynamo-registry.ts';
const t = await temporaryEngine();
const r = new DynamoRegistry({ client: t.engine.createClient(), name: 'pullwire', mayCreateTable: true });
await r.ensureSchema();
const n = 1000;
const ids = Array.from({ length: n }, (_, i) => `d${i}`);
for (let i = 0; i < n; i += 50) await Promise.all(ids.slice(i, i + 50).map((d) => r.addDevice({ device: d, publicKey: `ed25519:${'A'.repeat(43)}`, labels: {}, createdAt: 1 })));
for (const width of [1, 8, 32]) {
  const at = performance.now();
  const left = [...ids];
  await Promise.all(Array.from({ length: width }, async () => { for (let d = left.pop(); d !== undefined; d = left.pop()) await r.deviceRecord(d); }));
  console.log(width, Math.round(performance.now() - at), 'ms for', n);
}
await t.remove(); process.exit();
