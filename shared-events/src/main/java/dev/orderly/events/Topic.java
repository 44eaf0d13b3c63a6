package dev.orderly.events;

import java.util.Arrays;

/** The topics that services share, and the policy of each: how events are published, parked and erased. */
public enum Topic {

    /** All events of every order, by all services. */
    ORDERS("order-service", false),

    /** The newest state of every customer: the only topic with personal data. */
    CUSTOMERS("customer-service", true);

    private final String topicName;
    private final boolean erasable;

    Topic(String topicName, boolean erasable) {
        this.topicName = topicName;
        this.erasable = erasable;
    }

    public String topicName() {
        return topicName;
    }

    /** The topic of all events of a type. */
    static Topic of(Class<? extends Event> type) {
        return OrderEvent.class.isAssignableFrom(type) ? ORDERS : CUSTOMERS;
    }

    /**
     * Whether it holds personal data, which an event that {@linkplain Event#erasesKey erases its key}
     * removes. Such a topic is compacted, so of each key only the newest event counts. Nothing that is read
     * from it may be copied to where the erasure does not reach.
     */
    public boolean isErasable() {
        return erasable;
    }

    /** Whether the topic of this name {@linkplain #isErasable() holds personal data}. */
    public static boolean isErasable(String topicName) {
        return Arrays.stream(values()).anyMatch(topic -> topic.erasable && topic.topicName.equals(topicName));
    }
}
