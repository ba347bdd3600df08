/** `npm run readme`: brings README's configuration reference up to date. */
import { writeReadme } from './check/readme.ts';

await writeReadme();
