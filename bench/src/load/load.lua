-- wrk -s load.lua URL -- [FILE]
-- FILE holds headers, a line each: a key in the argument list could be read by everyone on the machine.
-- No `request` function: wrk then builds the request once and no Lua runs while it measures.
function init(args)
  if args[1] == nil then return end
  for line in io.lines(args[1]) do
    local name, value = line:match("^([^:]+):%s*(.-)%s*$")
    if name ~= nil then wrk.headers[name] = value end
  end
end

-- wrk's own summary is rounded to two or three digits; this is what it knows, in microseconds.
function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"durationUs":%d,"requests":%d,"bytes":%d,"p50Us":%d,"p99Us":%d,' ..
    '"errors":{"connect":%d,"read":%d,"write":%d,"status":%d,"timeout":%d}}\n',
    summary.duration, summary.requests, summary.bytes,
    latency:percentile(50), latency:percentile(99),
    errors.connect, errors.read, errors.write, errors.status, errors.timeout))
end
