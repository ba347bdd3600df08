import { describe, expect, it } from 'vitest';
import { describeConfig } from './config-setting.ts';

describe('the description of the settings', () => {
  it('names each setting once, with a variable, a default and a sentence', () => {
    const settings = describeConfig();
    expect(settings.find((setting) => setting.key === 'tls.cert')).toEqual({
      key: 'tls.cert',
      env: 'PULLWIRE_RELAY_TLS_CERT',
      flag: '--tls-cert <file>',
      default: null,
      doc: 'File with the certificate chain (PEM). Read again when it changes.',
    });
    for (const names of [settings.map((s) => s.key), settings.map((s) => s.env)]) {
      expect(new Set(names).size).toBe(settings.length);
    }
    for (const setting of settings) {
      expect(setting.env).toMatch(/^PULLWIRE_RELAY_[A-Z_]+$/);
      expect(setting.doc).toMatch(/\.$/);
    }
  });
});
