-- Posts the lines of a file of events, and between them gets pages that differ in every request: their query,
-- language, browser and path. `wrk -s mixed.lua URL -- FILE PATH TOKEN`; events go to that path.

local lines, position, path, token = {}, 0, nil, nil
local languages = {"de", "fr-CH, fr;q=0.9, en;q=0.8", "ja", "ar", "pl", "en-US,en;q=0.5"}

function init(args)
    for line in io.lines(args[1]) do lines[#lines + 1] = line end
    path, token = args[2], args[3]
end

local function event()
    local signature, body = lines[math.floor(position / 4) % #lines + 1]:match("^(.-)\t(.*)$")
    return wrk.format("POST", path, {["Content-Type"] = "application/json", ["Stripe-Signature"] = signature}, body)
end

function request()
    position = position + 1
    sent = position
    local kind, number = position % 16, tostring(position)
    if kind % 4 == 0 then return event() end
    local headers = {["User-Agent"] = "Browser/" .. number}
    headers["Accept-Language"] = languages[position % #languages + 1] .. ", x-" .. number
    if kind == 1 then return wrk.format("GET", "/signup?n=" .. number, headers) end
    if kind == 2 then return wrk.format("GET", "/signup?language=" .. number, headers) end
    if kind == 3 then return wrk.format("GET", "/return?customer=" .. number, headers) end
    if kind == 5 then return wrk.format("GET", "/operator/login?next=/" .. number, headers) end
    if kind == 6 then return wrk.format("GET", "/no/page/" .. number, headers) end
    if kind == 7 then return wrk.format("GET", "/static/no-" .. number .. ".css", headers) end
    if kind == 9 then return wrk.format("GET", "/healthz", headers) end
    if kind == 10 then return wrk.format("GET", "/metrics", headers) end
    if kind == 11 then return wrk.format("GET", "/static/portal.css?v=" .. number, headers) end
    if kind == 13 or kind == 14 then
        headers["Authorization"] = token
        local query = kind == 13 and "?key=nr-" or "/"
        return wrk.format("GET", "/api/v1/customers" .. query .. number, headers)
    end
    return wrk.format("GET", "/signup", headers)
end

local threads = {}
function setup(thread) threads[#threads + 1] = thread end

function done(summary, latency)
    local e = summary.errors
    print(string.format(
        '{"sent": %d, "answered": %d, "seconds": %f, "refused": %d, "broken": %d, "p50": %f, "p99": %f}',
        summary.requests, summary.requests, summary.duration / 1e6, e.status,
        e.connect + e.read + e.write + e.timeout, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
