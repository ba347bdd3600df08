import { differences } from './agreement-difference.ts';
import type { AgreementParts } from './agreement-parts.ts';

/** Functions, their variables, and the zips that are deployed. */
export function functionComplaints(parts: AgreementParts): string[] {
  return [...nameComplaints(parts), ...variableComplaints(parts), ...zipComplaints(parts)];
}

function nameComplaints({ manifest, code, zips }: AgreementParts): string[] {
  const ours = { who: 'relay.json', has: Object.keys(manifest.functions) };
  return [
    ...differences('function', ours, { who: 'the code', has: Object.keys(code.functions) }),
    ...differences('function', ours, { who: 'the zips', has: Object.keys(zips) }),
  ];
}

function variableComplaints({ manifest, code, zips }: AgreementParts): string[] {
  return Object.entries(manifest.functions).flatMap(([name, { environment }]) => {
    const ours = { who: 'relay.json', has: environment };
    const [facts, zip] = [code.functions[name], zips[name]];
    return [
      ...(facts === undefined
        ? []
        : differences(`variable of ${name}`, ours, { who: 'the code', has: facts.variables })),
      ...(zip === undefined || zip.trouble !== undefined
        ? []
        : differences(`variable of ${name}`, ours, { who: 'its zip', has: zip.asks })),
    ];
  });
}

function zipComplaints({ manifest, zips }: AgreementParts): string[] {
  const [file = '', handler = ''] = manifest.handler.split('.');
  return Object.entries(zips).flatMap(([name, { files, exports, trouble }]) => {
    if (trouble !== undefined) return [`zip of ${name}: does not load: ${trouble}`];
    const said: string[] = [];
    if (!files.includes(`${file}.mjs`)) said.push(`zip of ${name}: has no ${file}.mjs`);
    if (!exports.includes(handler)) said.push(`zip of ${name}: exports no ${handler}`);
    return said;
  });
}
