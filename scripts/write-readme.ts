/** `npm run readme`: brings README's configuration reference, and terraform/README's tables, up to date. */
import { writeReadme } from './check/readme.ts';
import { writeTerraformReadme } from './check/terraform-readme.ts';

await Promise.all([writeReadme(), writeTerraformReadme()]);
