import { defaultComplaints } from './agreement-defaults.ts';
import { differences } from './agreement-difference.ts';
import { functionComplaints } from './agreement-functions.ts';
import type { AgreementParts } from './agreement-parts.ts';
import { permissionComplaints } from './agreement-permissions.ts';
import { routeComplaints } from './agreement-routes.ts';
import { settingComplaints } from './agreement-settings.ts';

/** Where one of the parts says what another does not, a line each: what, who says it, and who does not. */
export function agreementComplaints(parts: AgreementParts): string[] {
  return [
    ...functionComplaints(parts),
    ...routeComplaints(parts),
    ...storageComplaints(parts),
    ...settingComplaints(parts),
    ...defaultComplaints(parts),
    ...permissionComplaints(parts),
  ];
}

function storageComplaints({ manifest, code }: AgreementParts): string[] {
  return [
    ...differences(
      'table attribute',
      { who: 'relay.json', has: leaves(manifest.table) },
      { who: 'the code', has: leaves(code.table) },
    ),
    ...differences(
      'object prefix',
      { who: 'relay.json', has: leaves(manifest.bucket.prefixes) },
      { who: 'the code', has: leaves(code.prefixes) },
    ),
  ];
}

/** `listIndex.name = by-kind`, a line a value. */
function leaves(value: object, path = ''): string[] {
  return Object.entries(value).flatMap(([key, inner]: [string, unknown]) =>
    typeof inner === 'object' && inner !== null
      ? leaves(inner, `${path}${key}.`)
      : [`${path}${key} = ${String(inner)}`],
  );
}
