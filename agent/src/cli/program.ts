import { Command, CommanderError } from 'commander';
import { ConfigError } from '../config/config-error.ts';
import { HealthError } from '../health/health-error.ts';
import { KeyError } from '../identity/device-key.ts';
import { EnrolError } from '../identity/enrol-error.ts';
import { ProxyError } from '../link/proxy.ts';
import { ServiceError } from '../service/service-error.ts';
import { SourceOpenError } from '../source/open-source.ts';
import { version } from '../version.ts';
import { check } from './check-command.ts';
import { type CliHost, exitCodes } from './cli-host.ts';
import { addConfigOptions, loadConfigOf, loadEnrolSettingsOf } from './config-option.ts';
import { configReference } from './config-reference.ts';
import { doctor } from './doctor-command.ts';
import { type EnrollOptions, enroll } from './enroll-command.ts';
import {
  type InstallOptions,
  install,
  type UninstallOptions,
  uninstall,
} from './install-command.ts';
import { keygen } from './keygen-command.ts';
import { run } from './run-command.ts';
import { status } from './status-command.ts';
import { token } from './token-command.ts';

/** Runs the command that `host.args` name. Resolves with the exit code; never rejects. */
export async function runProgram(host: CliHost): Promise<number> {
  let exitCode: number = exitCodes.ok;
  const program = createProgram(host, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync([...host.args], { from: 'user' });
    return exitCode;
  } catch (error) {
    return report(error, host);
  }
}

/** Of the unit, its user and its state folder. */
const usualName = 'pullwire-agent';

/** Makes the agent a service, and takes it away. */
function addServiceCommands(program: Command, host: CliHost): void {
  const withCommon = (command: Command): Command =>
    command
      .option('--name <name>', 'of the unit, its user and its folder in /var/lib', usualName)
      .option('--root <folder>', 'write the files of the machine that lies below it', '/')
      .option('--dry-run', 'say what would be done, and do nothing');
  withCommon(program.command('install'))
    .description('make the agent a service of systemd, with a user of its own')
    .requiredOption('-c, --config <file>', 'the configuration that it runs with')
    .option('--memory <size>', 'what it may use at most, its commands included', '512M')
    .option('--now', 'start it, too')
    .option('--print', 'print the unit, and do nothing')
    .action((values: InstallOptions) => install(values, host));
  withCommon(program.command('uninstall'))
    .description('take away what install wrote')
    .option('--purge', 'remove the key, all that the agent has learnt, and the user, too')
    .action((values: UninstallOptions) => uninstall(values, host));
}

function createProgram(host: CliHost, exit: (code: number) => void): Command {
  const program = new Command('pullwire-agent')
    .description('Answers pulls for a device on a private network, over one outgoing WebSocket.')
    .version(version)
    .exitOverride()
    .configureOutput({ writeOut: host.writeOut, writeErr: host.writeError })
    .addHelpText('after', configReference);
  addConfigOptions(program.command('run'))
    .description('dial the relay and answer pulls until stopped')
    .action(async (values) => {
      const loads = {
        enrolment: () => loadEnrolSettingsOf(values, host),
        config: () => loadConfigOf(values, host),
      };
      exit(await run(loads, host));
    });
  program
    .command('enroll')
    .description("make the device's key and bring it to the relay, with a code of its operator")
    .requiredOption('--relay <url>', "the relay's address, such as https://relay.example")
    .option(
      '--code <code>',
      'as pullwire-relay enroll-code printed it; - reads it from stdin (PULLWIRE_ENROLL_CODE)',
    )
    .option('--device <id>', 'the id of the device, where the code names none')
    .option('-c, --config <file>', 'the configuration to write, or to add to', 'agent.yaml')
    .option(
      '--key-file <file>',
      'where the key goes. Default: identity/device.key beside the configuration.',
    )
    .option(
      '--ca <file>',
      "authorities (PEM) for the relay's certificate, in place of the system's",
    )
    .option('--insecure', 'send the code in the clear, off loopback too')
    .action((values: EnrollOptions) => enroll(values, host));
  addConfigOptions(program.command('token'))
    .description('print a handshake token, for wscat and the like')
    .action((values) => token(loadConfigOf(values, host), host));
  addConfigOptions(program.command('status'))
    .description('ask the agent that runs here how it is; exits with 0 only where it is linked')
    .option('--json', 'all that is known, for programs')
    .action(async (values) =>
      exit(await status(loadConfigOf(values, host).controlSocket, values, host)),
    );
  addConfigOptions(program.command('check'))
    .description('check the configuration, and show what may be asked')
    .action((values) => check(loadConfigOf(values, host), host));
  addConfigOptions(program.command('doctor'))
    .description('look for what keeps the agent from linking and answering, and say what to do')
    .option('--json', 'for programs, in place of the table')
    .action(async (values) => {
      exit(await doctor(() => loadConfigOf(values, host), values.json === true, host));
    });
  program
    .command('keygen')
    .description("make the device's key, and print its public half for pullwire-relay device add")
    .option('-o, --out <file>', 'where the private key goes', 'device.key')
    .action((values) => keygen(values.out, host));
  addServiceCommands(program, host);
  return program;
}

/** One sentence, or a line a mistake. */
function report(error: unknown, host: CliHost): number {
  // commander has said already what it had to say: help, version, or what is wrong with the command line.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  if (error instanceof EnrolError) {
    const again = error.isFinal ? '' : '. The code was not refused: try again with the same one';
    host.writeError(`pullwire-agent: not enrolled: ${error.message}${again}\n`);
    // Whoever starts the agent again by itself, with the same code, is refused again.
    return error.isFinal && host.args[0] === 'run' ? exitCodes.never : exitCodes.failed;
  }
  if (error instanceof ServiceError) {
    host.writeError(`pullwire-agent: ${error.message}\n`);
    return exitCodes.failed;
  }
  if (isForPeople(error)) {
    host.writeError(`pullwire-agent: ${error.message}\n`);
    return exitCodes.usage;
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  host.writeError(`pullwire-agent: failed: ${text}\n`);
  return exitCodes.failed;
}

/** What a person can mend, by what the message says. */
function isForPeople(error: unknown): error is Error {
  return [ConfigError, HealthError, KeyError, ProxyError, SourceOpenError].some(
    (known) => error instanceof known,
  );
}
