import { describe, expect, it } from 'vitest';
import { parseWrk } from './wrk-output.ts';

const text = `Running 1s test @ http://127.0.0.1:18099/200
  1 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.65ms    1.10ms   7.96ms   80.84%
    Req/Sec    20.80k     4.63k   26.15k    50.00%
  Latency Distribution
     50%    1.41ms
     99%    5.82ms
  20715 requests in 1.01s, 8.65MB read
Requests/sec:  20582.14
Transfer/sec:      8.60MB
`;
const line = (errors: string, requests = 20_715): string =>
  `{"durationUs":1006455,"requests":${requests},"bytes":9073170,"p50Us":1409,"p99Us":5821,"errors":{${errors}}}\n`;

describe("wrk's report", () => {
  it('is read from the line behind its own summary', () => {
    const none = '"connect":0,"read":0,"write":0,"status":0,"timeout":0';
    expect(parseWrk(text + line(none))).toEqual({
      seconds: 1.006455,
      requests: 20_715,
      bytes: 9_073_170,
      p50Ms: 1.409,
      p99Ms: 5.821,
      errors: 0,
    });
  });

  it('counts every kind of error', () => {
    const some = '"connect":1,"read":20,"write":300,"status":4000,"timeout":50000';
    expect(parseWrk(text + line(some)).errors).toBe(54_321);
  });

  it('is refused where the line is missing', () => {
    expect(() => parseWrk(text)).toThrow(/wrk did not report: .*Transfer/s);
  });

  it('takes it for an error where nothing was answered', () => {
    expect(parseWrk(line('"timeout":0', 0))).toMatchObject({ requests: 0, errors: 1 });
    expect(parseWrk(line('"timeout":32', 0))).toMatchObject({ requests: 0, errors: 32 });
  });
});
