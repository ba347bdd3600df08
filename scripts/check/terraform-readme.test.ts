import { expect, it } from 'vitest';
import { withTables } from './terraform-readme.ts';

const empty =
  'a\n<!-- inputs:begin -->\n<!-- inputs:end -->\nb\n<!-- outputs:begin -->\n<!-- outputs:end -->\n';

const variables = `
variable "name" {
  description = "What it is called: a \\"name\\"."
  type        = string

  validation {
    condition     = length(var.name) > 0
    error_message = "A name has letters."
  }
}

variable "throttle" {
  description = "Rate | burst."
  type = object({
    rate  = optional(number, 2000)
    burst = optional(number, 1000)
  })
  default  = {}
  nullable = false
}

variable "key" {
  description = "A key."
  type        = string
  default     = null
}
`;

const outputs = `
output "url" {
  description = "Where it is."
  value       = local.url
}
`;

it('fills in inputs and outputs from the files, and is stable', () => {
  const filled = withTables(empty, { variables, outputs });
  expect(filled).toBe(`a
<!-- inputs:begin -->
| name | type | default |  |
| --- | --- | --- | --- |
| \`name\` | \`string\` | required | What it is called: a "name". |
| \`throttle\` | \`object({ rate = optional(number, 2000), burst = optional(number, 1000) })\` | \`{}\` | Rate \\| burst. |
| \`key\` | \`string\` |  | A key. |
<!-- inputs:end -->
b
<!-- outputs:begin -->
| name |  |
| --- | --- |
| \`url\` | Where it is. |
<!-- outputs:end -->
`);
  expect(withTables(filled, { variables, outputs })).toBe(filled);
});

it('says when a table was changed by hand, or the module without it', () => {
  const filled = withTables(empty, { variables, outputs });
  expect(withTables(filled.replace('Where it is.', 'X'), { variables, outputs })).toBe(filled);
  const changed = variables.replace('2000', '3000');
  expect(withTables(filled, { variables: changed, outputs })).not.toBe(filled);
});

it.each([
  ['an input without a description', /^ {2}description.*\n/m],
  ['an input without a type', /^ {2}type +=.*\n/m],
])('refuses %s', (_, line) => {
  expect(() => withTables(empty, { variables: variables.replace(line, ''), outputs })).toThrow(
    'terraform: name has no',
  );
});

it('fails where a marker is missing', () => {
  expect(() => withTables('no markers', { variables, outputs })).toThrow('inputs:begin');
});
