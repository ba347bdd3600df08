/** This agent's version, as package.json has it (version.test.ts holds them together). */
export const version = '0.1.0';
