-- Posts each line of a file once: a Stripe-Signature, a tab, the body. `wrk -s events.lua URL -- FILE`.

local lines, position = {}, 0

function init(args)
    for line in io.lines(args[1]) do lines[#lines + 1] = line end
end

function request()
    position = position + 1
    sent = position
    local signature, body = lines[(position - 1) % #lines + 1]:match("^(.-)\t(.*)$")
    return wrk.format("POST", nil, {["Content-Type"] = "application/json", ["Stripe-Signature"] = signature}, body)
end

local threads = {}
function setup(thread) threads[#threads + 1] = thread end

function done(summary, latency)
    local all = 0
    for _, thread in ipairs(threads) do all = all + (thread:get("sent") or 0) end
    local e = summary.errors
    print(string.format(
        '{"sent": %d, "answered": %d, "seconds": %f, "refused": %d, "broken": %d, "p50": %f, "p99": %f}',
        all, summary.requests, summary.duration / 1e6, e.status, e.connect + e.read + e.write + e.timeout,
        latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
