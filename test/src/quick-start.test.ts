import { describe, expect, it } from 'vitest';
import { fillIn, readQuickStart } from './quick-start.ts';

const readme = `# x
## Quick start
After \`npm ci\`, some text.

\`\`\`sh
# 1. one
serve

# 2. two: with a here-document
cat > file <<'EOF'
# not a comment

a: b
EOF
run --code pwe_…   # why
\`\`\`

\`\`\`sh
another
\`\`\`
`;

describe('the quick start', () => {
  it('is commands by terminal, as they stand', () => {
    expect(readQuickStart(readme)).toEqual({
      before: 'npm ci',
      parts: [
        ['serve'],
        ["cat > file <<'EOF'\n# not a comment\n\na: b\nEOF", 'run --code pwe_…   # why'],
      ],
    });
  });

  it('that is not there is an error', () => {
    expect(() => readQuickStart('# x\n')).toThrow('README has no quick start');
  });

  it('has its placeholders filled with what was printed last', () => {
    expect(fillIn('run --code pwe_…   # why', 'pwe_a_1\nthen pwe_b_2-3 and pwk_c')).toBe(
      'run --code pwe_b_2-3   # why',
    );
    expect(() => fillIn('key pwk_…', 'pwe_a_1')).toThrow('nothing printed');
  });
});
