export * from './bye-code.ts';
export * from './error-code.ts';
export * from './limit.ts';
export * from './message.ts';
export * from './name.ts';
