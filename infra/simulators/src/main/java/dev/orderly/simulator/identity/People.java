package dev.orderly.simulator.identity;

import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.util.LinkedHashMap;
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

    /** @param program whether it is no person, and so has no login by a page */
    record Person(String name, String subject, List<String> roles, boolean program) {}

    private People(Map<String, Person> people) {
        this.people = people;
    }

    static People read() throws IOException {
        try (var file = People.class.getResourceAsStream("people.json")) {
            return new People(Stream.of(new JsonMapper().readValue(file, Person[].class))
                    .collect(Collectors.toMap(Person::name, Function.identity(), (a, _) -> a, LinkedHashMap::new)));
        }
    }

    /** @param name of the file, or the id of a customer */
    Optional<Person> find(String name) {
        var person = people.get(name);
        return person != null || !isId(name)
                ? Optional.ofNullable(person)
                : Optional.of(new Person(name, name, List.of(CUSTOMER), false));
    }

    /** Who may log in by a page; every customer may, too. */
    List<Person> named() {
        return people.values().stream().filter(person -> !person.program()).toList();
    }

    private static boolean isId(String name) {
        try {
            return UUID.fromString(name).toString().equals(name);
        } catch (IllegalArgumentException _) {
            return false;
        }
    }
}
