import { PathPattern } from './path-pattern.ts';

export interface AllowRule {
  readonly methods: readonly string[];
  readonly paths: readonly string[];
}

interface CompiledRule {
  readonly methods: ReadonlySet<string>;
  readonly patterns: readonly PathPattern[];
}

/** What a source lets through: nothing but what one of its rules names, method and path together. */
export class AllowList {
  readonly #rules: readonly CompiledRule[];

  constructor(rules: readonly AllowRule[]) {
    this.#rules = rules.map((rule) => ({
      methods: new Set(rule.methods),
      patterns: rule.paths.map((path) => new PathPattern(path)),
    }));
  }

  allows(method: string, segments: readonly string[]): boolean {
    return this.#some(method, (pattern) => pattern.matches(segments));
  }

  /** Whether anything below the folder `segments` could be allowed. */
  leadsBelow(method: string, segments: readonly string[]): boolean {
    return this.#some(method, (pattern) => pattern.leadsBelow(segments));
  }

  /** For people: `GET, HEAD on /metrics; POST on /jobs/*`. */
  describe(): string {
    if (this.#rules.length === 0) return 'nothing';
    return this.#rules
      .map(({ methods, patterns }) => `${[...methods].join(', ')} on ${textOf(patterns)}`)
      .join('; ');
  }

  #some(method: string, test: (pattern: PathPattern) => boolean): boolean {
    for (const rule of this.#rules) {
      if (rule.methods.has(method) && rule.patterns.some(test)) return true;
    }
    return false;
  }
}

const textOf = (patterns: readonly PathPattern[]): string =>
  patterns.map((pattern) => pattern.text).join(', ');
