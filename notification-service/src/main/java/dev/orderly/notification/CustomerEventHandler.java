package dev.orderly.notification;

import dev.orderly.events.CustomerEvent;
import dev.orderly.events.CustomerEvent.CodeRequested;
import dev.orderly.events.CustomerEvent.Contact;
import dev.orderly.events.CustomerEvent.CustomerErased;
import dev.orderly.events.CustomerEvent.CustomerRegistered;
import dev.orderly.events.CustomerEvent.CustomerVerified;
import dev.orderly.messaging.EventConsumer;
import dev.orderly.messaging.EventHandler;
import dev.orderly.messaging.IncomingEvent;
import dev.orderly.messaging.OutgoingEvent;
import io.smallrye.common.annotation.Blocking;
import jakarta.inject.Singleton;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.eclipse.microprofile.reactive.messaging.Incoming;

/**
 * Knows how to reach customers, welcomes them and has their codes sent; and forgets them. Every event says all there is to know,
 * so of a customer whose earlier events were compacted away nothing is missing.
 */
@Singleton
class CustomerEventHandler extends EventHandler<CustomerEvent> {

    private final Contacts contacts;
    private final Notifications notifications;
    private final MessageDispatcher sender;

    CustomerEventHandler(
            EventConsumer consumer,
            Contacts contacts,
            Notifications notifications,
            MessageDispatcher sender,
            @ConfigProperty(name = "mp.messaging.incoming.customers.group.id") String consumerGroup) {
        super(
                consumer,
                consumerGroup,
                Set.of(CustomerRegistered.class, CodeRequested.class, CustomerVerified.class, CustomerErased.class));
        this.contacts = contacts;
        this.notifications = notifications;
        this.sender = sender;
    }

    @Incoming("customers")
    @Blocking
    void receive(ConsumerRecords<String, byte[]> records) {
        consume(records);
        sender.wakeAll();
    }

    @Override
    public List<OutgoingEvent> on(List<IncomingEvent<CustomerEvent>> events) throws SQLException {
        var known = new LinkedHashMap<UUID, Contact>();
        var erased = new LinkedHashSet<UUID>();
        var letters = new ArrayList<Message>();
        for (var received : events) {
            switch (received.event()) {
                case CustomerRegistered customer -> {
                    known.put(customer.id(), customer.contact());
                    letters.add(Message.welcome(customer.id()));
                    letters.add(Message.code(customer.id(), customer.verification()));
                }
                case CodeRequested customer -> {
                    known.put(customer.id(), customer.contact());
                    letters.add(Message.code(customer.id(), customer.verification()));
                }
                case CustomerVerified customer -> known.put(customer.id(), customer.contact());
                case CustomerErased customer -> {
                    // Nothing follows it: see CustomerEvent.
                    known.remove(customer.id());
                    erased.add(customer.id());
                }
            }
        }
        contacts.put(known);
        notifications.add(letters);
        contacts.erase(erased);
        notifications.voidThoseOf(erased);
        return List.of();
    }
}
