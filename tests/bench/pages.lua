-- Gets one page again and again, and prints what `events.lua` prints.

function done(summary, latency)
    local e = summary.errors
    print(string.format(
        '{"sent": %d, "answered": %d, "seconds": %f, "refused": %d, "broken": %d, "p50": %f, "p99": %f}',
        summary.requests, summary.requests, summary.duration / 1e6, e.status,
        e.connect + e.read + e.write + e.timeout, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
