package dev.orderly.console.live;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.subscription.MultiEmitter;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

/** The pages that are open, each a stream of messages. One that does not keep up is closed; it reconnects. */
@Singleton
public class Pages {

    private static final int MAX_PAGES = 50;
    /** Or one person could take the places of all others. */
    private static final int MAX_PAGES_OF_ONE = 10;
    /** Then a page asks again, with the session that it has then: none when that is over. */
    private static final Duration MAX_STREAM = Duration.ofMinutes(10);
    /** A page draws no more than this. */
    private static final int MAX_ORDER_EVENTS_PER_SECOND = 50;
    /** Messages that a page has not taken yet: ten seconds of them. */
    private static final int MAX_BEHIND = 500;

    private final List<Page> pages = new CopyOnWriteArrayList<>();
    private final ObjectMapper json;

    Pages(ObjectMapper json) {
        this.json = json;
    }

    /** @param name of the event; null for a comment, which keeps the connection open */
    public record Message(String name, String data) {}

    /** @param seesAll orders; otherwise those of the person, who is a customer */
    private record Page(
            MultiEmitter<? super Message> emitter,
            String person,
            boolean operator,
            boolean seesAll,
            AtomicInteger budget) {}

    boolean haveRoomFor(String person) {
        return pages.size() < MAX_PAGES
                && pages.stream().filter(page -> page.person.equals(person)).count() < MAX_PAGES_OF_ONE;
    }

    /** @param seesAll orders; otherwise those of the person, who is a customer */
    Multi<Message> open(String person, boolean operator, boolean seesAll) {
        return Multi.createFrom()
                .<Message>emitter(
                        emitter -> {
                            var page = new Page(
                                    emitter, person, operator, seesAll, new AtomicInteger(MAX_ORDER_EVENTS_PER_SECOND));
                            emitter.onTermination(() -> pages.remove(page));
                            pages.add(page);
                        },
                        MAX_BEHIND)
                .select()
                .first(MAX_STREAM);
    }

    public int count() {
        return pages.size();
    }

    boolean anyOperator() {
        return pages.stream().anyMatch(Page::operator);
    }

    /** @param customerId whose order it is, null if that is not known: then no customer sees it */
    void order(Object event, String customerId) {
        String data = null;
        for (var page : pages) {
            boolean sees = page.seesAll || page.person.equals(customerId);
            if (sees && page.budget.getAndDecrement() > 0) {
                data = data == null ? write(event) : data;
                page.emitter.emit(new Message("order", data));
            }
        }
    }

    /** To operators. */
    void system(Object system) {
        var message = new Message("system", write(system));
        pages.stream().filter(Page::operator).forEach(page -> page.emitter.emit(message));
    }

    void nextSecond() {
        pages.forEach(page -> page.budget.set(MAX_ORDER_EVENTS_PER_SECOND));
    }

    void keepOpen() {
        pages.forEach(page -> page.emitter.emit(new Message(null, "")));
    }

    private String write(Object value) {
        try {
            return json.writeValueAsString(value);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("cannot be written as JSON", e);
        }
    }
}
