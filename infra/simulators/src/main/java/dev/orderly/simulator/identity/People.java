package dev.orderly.simulator.identity;

import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Who there is: those of {@code people.json}, and every customer by their id. */
final class People {

    private static final String CUSTOMER = "customer";

    private final Map<String, Person> people;

    record Person(String name, String subject, List<String> roles) {}

    private People(Map<String, Person> people) {
        this.people = people;
    }

    static People read() throws IOException {
        try (var file = People.class.getResourceAsStream("people.json")) {
            return new People(Stream.of(new JsonMapper().readValue(file, Person[].class))
                    .collect(Collectors.toMap(Person::name, Function.identity())));
        }
    }

    /** @param name of the file, or the id of a customer */
    Optional<Person> find(String name) {
        var person = people.get(name);
        return person != null || !isId(name)
                ? Optional.ofNullable(person)
                : Optional.of(new Person(name, name, List.of(CUSTOMER)));
    }

    private static boolean isId(String name) {
        try {
            return UUID.fromString(name).toString().equals(name);
        } catch (IllegalArgumentException _) {
            return false;
        }
    }
}
