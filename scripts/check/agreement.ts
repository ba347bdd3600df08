import { agreementComplaints } from '../agreement.ts';
import { readParts } from '../agreement-parts.ts';
import type { Check } from './check.ts';

/** Terraform, the code and the zips that are made of it say the same of functions, routes, variables, times and tables. */
export const agreementCheck: Check = {
  name: 'terraform agrees with the code',
  advice: 'each line says who says what, and who does not: change one of the two',
  run: async () => agreementComplaints(await readParts()).join('\n'),
};
