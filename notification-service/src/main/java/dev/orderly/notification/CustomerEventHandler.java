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
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.eclipse.microprofile.reactive.messaging.Incoming;

/**
 * Projects contacts, welcomes customers and has their verification codes sent, until they are erased. Each
 * event carries the whole contact (event-carried state transfer): those that compaction has removed are not
 * needed.
 */
@Singleton
class CustomerEventHandler extends EventHandler<CustomerEvent> {

    private final Contacts contacts;
    private final Notifications notifications;
    private final MessageDispatcher dispatcher;

    CustomerEventHandler(
            EventConsumer consumer,
            Contacts contacts,
            Notifications notifications,
            MessageDispatcher dispatcher,
            @ConfigProperty(name = "mp.messaging.incoming.customers.group.id") String consumerGroup) {
        super(
                consumer,
                consumerGroup,
                Set.of(CustomerRegistered.class, CodeRequested.class, CustomerVerified.class, CustomerErased.class));
        this.contacts = contacts;
        this.notifications = notifications;
        this.dispatcher = dispatcher;
    }

    @Incoming("customers")
    @Blocking
    void receive(ConsumerRecords<String, byte[]> records) {
        consume(records);
        dispatcher.wakeAll();
    }

    @Override
    public List<OutgoingEvent> on(List<IncomingEvent<CustomerEvent>> events) throws SQLException {
        var contactsById = new LinkedHashMap<UUID, Contact>();
        var erased = new LinkedHashSet<UUID>();
        var messages = new ArrayList<Message>();
        for (var incoming : events) {
            switch (incoming.event()) {
                case CustomerRegistered customer -> {
                    contactsById.put(customer.id(), customer.contact());
                    messages.add(Message.welcome(customer.id()));
                    messages.add(Message.code(customer.id(), customer.verification()));
                }
                case CodeRequested customer -> {
                    contactsById.put(customer.id(), customer.contact());
                    messages.add(Message.code(customer.id(), customer.verification()));
                }
                case CustomerVerified customer -> contactsById.put(customer.id(), customer.contact());
                case CustomerErased customer -> {
                    // The last event of a customer: no later one of the batch can add the contact again.
                    contactsById.remove(customer.id());
                    erased.add(customer.id());
                }
            }
        }
        // Those are added last, after the cancellation, which would miss them.
        messages.removeIf(message -> erased.contains(message.customerId()));
        contacts.save(contactsById);
        notifications.add(messages, Map.of());
        contacts.erase(erased);
        notifications.cancelMessagesOf(erased);
        return List.of();
    }
}
