import { ManualClock } from '@pullwire/shared/manual-clock';
import { expect, test } from 'vitest';
import { GatewayConnection } from './gateway-connection.ts';
import { gatewayDefaults } from './gateway-switches.ts';
import { renderTemplate } from './mapping-template.ts';

const connection = new GatewayConnection({ sourceIp: '::1' }, new ManualClock(), gatewayDefaults, {
  received: () => {},
  gone: () => {},
});

test('a template is filled from the context, plain and in braces', () => {
  expect(renderTemplate('"$context.connectionId" $context.routeKey,', connection, 'r')).toBe(
    `"${connection.id}" r,`,
  );
  expect(renderTemplate(`\${context.connectedAt}x`, connection, 'r')).toBe('0x');
});

test.each(['$context.nothing', '$input.body', '$util', '$context.constructor', '$#'])(
  '%s is refused: it is not played',
  (template) => {
    expect(() => renderTemplate(template, connection, 'r')).toThrow('is not played');
  },
);
