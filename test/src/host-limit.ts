/** What a host under test cannot do, each with its reason: the one place where a test of the shared suite may be skipped. */
export const hostLimits: Readonly<Record<HostName, Readonly<Partial<Record<Ability, string>>>>> = {
  'one box': {},
  'strict gateway': {
    'length of a stream':
      'a function URL streams chunked: Content-Length is its own (docs/hosts.md)',
  },
  'strict gateway, switched': {
    'length of a stream': 'as on the strict gateway',
  },
  ministack: {
    'raw path': 'it decodes rawPath, where a function URL keeps it as it came',
    'event by event': 'it answers when a function has ended, with the whole body',
    'length of a stream': 'it answers with the whole body, and says its length itself',
  },
};

export const hostNames = [
  'one box',
  'strict gateway',
  'strict gateway, switched',
  'ministack',
] as const;
export type HostName = (typeof hostNames)[number];

/** What some host lacks. */
export type Ability = 'raw path' | 'event by event' | 'length of a stream';
