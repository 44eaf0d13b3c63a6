package dev.orderly.simulator.mail;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class MailboxesTest {

    private final Mailboxes mailboxes = new Mailboxes(3, 100);

    @Test
    void a_mailbox_keeps_its_latest_messages() {
        for (var i = 0; i < 50; i++) {
            mailboxes.add("ann", new byte[] {(byte) i});
        }

        assertThat(mailboxes.messages("ann"))
                .hasSize(20)
                .extracting(message -> message[0])
                .startsWith((byte) 30)
                .endsWith((byte) 49);
    }

    @Test
    void a_new_recipient_evicts_the_least_recently_used() {
        add("ann", 1);
        add("bob", 1);
        add("cid", 1);
        mailboxes.messages("ann");

        add("dan", 1);

        assertThat(mailboxes.recipients()).containsExactly("cid", "ann", "dan");
        assertThat(mailboxes.messages("bob")).isEmpty();
    }

    @Test
    void large_messages_evict_whole_mailboxes() {
        add("ann", 40);
        add("bob", 40);
        add("ann", 40);

        assertThat(mailboxes.recipients()).containsExactly("ann");
        assertThat(mailboxes.messages("ann")).hasSize(2);
    }

    private void add(String recipient, int bytes) {
        mailboxes.add(recipient, new byte[bytes]);
    }
}
