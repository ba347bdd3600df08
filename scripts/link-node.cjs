// Run by npm after an install (`postinstall`). npm 9 and 10 (of Debian 12 and 13, of Node 20 and 22) leave out the Node
// of other processors, and with it take away the link `node` in node_modules/.bin that the right one had got: both have
// that name. So the link is made again where it is missing. Its argument is npm's `user-agent`. Written for Node 18.
var fs = require('node:fs');
var path = require('node:path');

var modules = path.join(__dirname, '..', 'node_modules');
var brought = path.join(`node-${process.platform}-${process.arch}`, 'bin', 'node');
var link = path.join(modules, '.bin', 'node');
if (fs.existsSync(path.join(modules, brought)) && !fs.existsSync(link)) {
  fs.symlinkSync(path.join('..', brought), link);
}

// npm leaves out optional parts whose `engines` are not content with the Node that it runs on itself.
var ranBy = /\bnode\/v(\d+)/.exec(process.argv[2] || '');
if (ranBy && Number(ranBy[1]) < 20 && fs.existsSync(link)) {
  console.log(
    `npm runs on Node ${ranBy[1]} here and has left out what wants Node 20. Relay, agent and demo do not need it; ` +
      'for `npm test`, `npm run build` and `npm run check` run this as well:\n' +
      '  PATH="$PWD/node_modules/.bin:$PATH" npm ci',
  );
}
