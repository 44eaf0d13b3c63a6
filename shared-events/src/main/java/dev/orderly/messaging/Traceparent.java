package dev.orderly.messaging;

import java.util.HexFormat;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Pattern;

/**
 * The {@code traceparent} of <a href="https://www.w3.org/TR/trace-context/">W3C Trace Context</a>, version
 * 00.
 */
public final class Traceparent {

    private static final Pattern VALID = Pattern.compile("00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}");
    private static final int TRACE_END = "00-".length() + 32;

    private Traceparent() {}

    /**
     * A step in the trace of the given one; the first step of a new trace when that is missing or malformed.
     */
    public static String following(String traceparent) {
        var random = ThreadLocalRandom.current();
        // An all-zero id would be invalid, and is never seen: the odds are 2^-64.
        var span = HexFormat.of().toHexDigits(random.nextLong());
        if (traceparent != null && VALID.matcher(traceparent).matches()) {
            return traceparent.substring(0, TRACE_END) + "-" + span + traceparent.substring(traceparent.length() - 3);
        }
        var trace =
                HexFormat.of().toHexDigits(random.nextLong()) + HexFormat.of().toHexDigits(random.nextLong());
        return "00-" + trace + "-" + span + "-01";
    }
}
