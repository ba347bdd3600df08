import { describeConfig } from '../config/config-setting.ts';

/** The settings of the file, for `--help`. */
export function configReference(): string {
  const lines = describeConfig().flatMap((setting) => {
    const origins = [setting.env, setting.flag].filter((name) => name !== undefined).join(', ');
    return [
      `  ${setting.key}${describeDefault(setting.default)}`,
      `      ${setting.doc}`,
      ...(origins === '' ? [] : [`      ${origins}`]),
    ];
  });
  return [
    '',
    'Settings (YAML or JSON; flags win over environment, environment over file):',
    ...lines,
  ].join('\n');
}

/** ` = value`; nothing where there is no default. */
function describeDefault(value: unknown): string {
  if (value === null) return '';
  return ` = ${Array.isArray(value) ? value.join(', ') : typeof value === 'object' ? '{}' : String(value)}`;
}
