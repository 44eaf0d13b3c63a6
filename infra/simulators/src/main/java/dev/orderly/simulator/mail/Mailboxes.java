package dev.orderly.simulator.mail;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;

/**
 * The latest messages of the most recently used recipients. Memory does not grow, whatever the rate: a
 * mailbox, the number of mailboxes (LRU) and the bytes of all messages are bounded.
 */
final class Mailboxes {

    static final int MAX_MESSAGES_PER_MAILBOX = 20;
    static final int MAX_MAILBOXES = 1_000;
    static final long MAX_BYTES = 16 * 1024 * 1024;

    private final int maxMailboxes;
    private final long maxBytes;
    private final LinkedHashMap<String, Deque<byte[]>> mailboxes = new LinkedHashMap<>(16, 0.75f, true);
    private long bytes;

    Mailboxes(int maxMailboxes, long maxBytes) {
        this.maxMailboxes = maxMailboxes;
        this.maxBytes = maxBytes;
    }

    /** @param message headers and body as received; parsed only by a query, as most are never queried */
    synchronized void add(String recipient, byte[] message) {
        var mailbox = mailboxes.computeIfAbsent(recipient, _ -> new ArrayDeque<>(2));
        mailbox.addLast(message);
        bytes += message.length;
        if (mailbox.size() > MAX_MESSAGES_PER_MAILBOX) {
            bytes -= mailbox.removeFirst().length;
        }
        while (mailboxes.size() > maxMailboxes || bytes > maxBytes) {
            var leastRecentlyUsed = mailboxes.pollFirstEntry().getValue();
            leastRecentlyUsed.forEach(evicted -> bytes -= evicted.length);
        }
    }

    /** The oldest first; empty for a recipient that never got mail or was evicted. */
    synchronized List<byte[]> messages(String recipient) {
        var mailbox = mailboxes.get(recipient);
        return mailbox == null ? List.of() : List.copyOf(mailbox);
    }

    synchronized List<String> recipients() {
        return List.copyOf(mailboxes.keySet());
    }
}
