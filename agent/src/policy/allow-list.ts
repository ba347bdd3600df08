import { compileGlobs, type Matcher } from '@pullwire/shared';
import { PathPattern } from './path-pattern.ts';

export interface AllowRule {
  readonly methods: readonly string[];
  readonly paths: readonly string[];
  /** Names of callers, or globs such as `team-*`, by the relay's word; absent: any. */
  readonly callers?: readonly string[];
}

interface CompiledRule {
  readonly methods: ReadonlySet<string>;
  readonly patterns: readonly PathPattern[];
  readonly callers: Matcher | undefined;
}

/** What a source lets through: nothing but what one of its rules names, method and path together. */
export class AllowList {
  readonly #rules: readonly CompiledRule[];

  constructor(rules: readonly AllowRule[]) {
    this.#rules = rules.map((rule) => ({
      methods: new Set(rule.methods),
      patterns: rule.paths.map((path) => new PathPattern(path)),
      callers: rule.callers && compileGlobs(rule.callers),
    }));
  }

  allows(method: string, segments: readonly string[], caller: string): boolean {
    return this.#some(method, caller, (pattern) => pattern.matches(segments));
  }

  /** Whether anything below the folder `segments` could be allowed. */
  leadsBelow(method: string, segments: readonly string[], caller: string): boolean {
    return this.#some(method, caller, (pattern) => pattern.leadsBelow(segments));
  }

  /** For a caller: `GET, HEAD on /metrics; POST on /jobs/*`. What others may ask is none of its business. */
  describe(caller: string): string {
    const rules = this.#rules.filter((rule) => isFor(rule, caller));
    if (rules.length === 0) return 'nothing';
    return rules
      .map(({ methods, patterns }) => `${[...methods].join(', ')} on ${textOf(patterns)}`)
      .join('; ');
  }

  #some(method: string, caller: string, test: (pattern: PathPattern) => boolean): boolean {
    for (const rule of this.#rules) {
      if (rule.methods.has(method) && isFor(rule, caller) && rule.patterns.some(test)) return true;
    }
    return false;
  }
}

const isFor = ({ callers }: CompiledRule, caller: string): boolean =>
  callers === undefined || callers(caller);

const textOf = (patterns: readonly PathPattern[]): string =>
  patterns.map((pattern) => pattern.text).join(', ');
