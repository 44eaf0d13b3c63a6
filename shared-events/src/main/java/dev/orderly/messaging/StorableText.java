package dev.orderly.messaging;

import static java.nio.charset.StandardCharsets.UTF_8;

/**
 * A text that another program wrote, in the form in which any column and any index takes it: a record that
 * cannot even be parked would block its partition.
 */
final class StorableText {

    /** In bytes of UTF-8, as indexes count: an entry of a B-tree has at most 2704 of them. */
    static final int MAX_BYTES = 1000;

    private StorableText() {}

    /**
     * The text without NUL, which PostgreSQL rejects, and without halves of characters; what exceeds
     * {@value #MAX_BYTES} bytes is cut off. Null for null.
     */
    static String of(String text) {
        if (text == null || isPlain(text)) {
            return text;
        }
        // Encoding replaces unpaired surrogates.
        var bytes = text.substring(0, Math.min(text.length(), MAX_BYTES + 1))
                .replace('\0', '\uFFFD')
                .getBytes(UTF_8);
        var end = Math.min(bytes.length, MAX_BYTES);
        while (end < bytes.length && (bytes[end] & 0b1100_0000) == 0b1000_0000) {
            end--; // to the first byte of a character
        }
        return new String(bytes, 0, end, UTF_8);
    }

    private static boolean isPlain(String text) {
        if (text.length() > MAX_BYTES) {
            return false;
        }
        for (var i = 0; i < text.length(); i++) {
            if (text.charAt(i) == 0 || text.charAt(i) >= 0x80) {
                return false;
            }
        }
        return true;
    }
}
