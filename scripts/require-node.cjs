// Preloaded by npm scripts (`node --require`), so that an old Node says what is wrong instead of
// failing on TypeScript syntax. Written for any Node: no syntax younger than itself.
var wanted = 24;
var found = process.versions.node;
if (Number(found.split('.')[0]) < wanted) {
  console.error(
    'pullwire needs Node ' +
      wanted +
      ' or newer; this is Node ' +
      found +
      ' (' +
      process.execPath +
      ').\n' +
      'On Linux (x64, arm64) `npm ci` brings it: run `npm ci` without --omit=optional and --ignore-scripts, then this ' +
      'npm script again.\nOn any other system install Node ' +
      wanted +
      ' first (https://nodejs.org), then run `npm ci`.',
  );
  process.exit(1);
}
