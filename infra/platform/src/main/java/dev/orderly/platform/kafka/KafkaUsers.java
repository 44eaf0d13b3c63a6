package dev.orderly.platform.kafka;

import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.platform.config.Secrets;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ScramCredentialInfo;
import org.apache.kafka.clients.admin.ScramMechanism;
import org.apache.kafka.clients.admin.UserScramCredentialAlteration;
import org.apache.kafka.clients.admin.UserScramCredentialDeletion;
import org.apache.kafka.clients.admin.UserScramCredentialUpsertion;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclBindingFilter;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;

/** The users of the brokers, and what each may do: the file {@code infra/kafka/users.json}. */
public final class KafkaUsers {
    /** Who has not logged in: a name for rules, which has no password. */
    private static final String ANONYMOUS = "ANONYMOUS";

    private static final ScramMechanism MECHANISM = ScramMechanism.SCRAM_SHA_512;
    /** The least that Kafka allows: more would slow down guesses, and no one guesses 190 random bits. */
    private static final int ITERATIONS = 4096;

    private static final String PREFIX_OF = "*";
    private static final String RELAY = "relay-";
    private static final String SINK = "sink-";

    private final List<User> users;

    /**
     * One user of the data file. A name that ends in {@code *} stands for all that begin so.
     *
     * @param describe topics that it need not read or write, but may know how long they are
     */
    private record User(
            String name,
            String about,
            List<String> read,
            List<String> write,
            List<String> create,
            List<String> describe,
            List<String> groups,
            List<String> describeGroups) {

        Stream<AclBinding> rules() {
            return Stream.of(
                            rules(ResourceType.TOPIC, read, AclOperation.READ),
                            rules(ResourceType.TOPIC, write, AclOperation.WRITE),
                            rules(ResourceType.TOPIC, create, AclOperation.CREATE),
                            rules(ResourceType.TOPIC, describe, AclOperation.DESCRIBE),
                            rules(ResourceType.GROUP, groups, AclOperation.READ),
                            rules(ResourceType.GROUP, describeGroups, AclOperation.DESCRIBE))
                    .flatMap(rules -> rules);
        }

        private Stream<AclBinding> rules(ResourceType type, List<String> names, AclOperation operation) {
            var entry = new AccessControlEntry("User:" + name, "*", operation, AclPermissionType.ALLOW);
            return Stream.ofNullable(names)
                    .flatMap(List::stream)
                    // The star alone is Kafka's own name for all of them.
                    .map(resource -> resource.endsWith(PREFIX_OF) && !resource.equals(PREFIX_OF)
                            ? new ResourcePattern(
                                    type, resource.substring(0, resource.length() - 1), PatternType.PREFIXED)
                            : new ResourcePattern(type, resource, PatternType.LITERAL))
                    .map(pattern -> new AclBinding(pattern, entry));
        }
    }

    private KafkaUsers(List<User> users) {
        this.users = users;
    }

    public static KafkaUsers read(Path infra) {
        Path file = infra.resolve("kafka/users.json");
        try {
            return new KafkaUsers(List.of(new JsonMapper().readValue(file.toFile(), User[].class)));
        } catch (IOException e) {
            throw new CommandFailedException("cannot read " + file + ": " + e.getMessage(), e);
        }
    }

    /** Those who log in, by SCRAM. */
    private Set<String> logins() {
        return users.stream()
                .map(User::name)
                .filter(Predicate.not(ANONYMOUS::equals))
                .collect(Collectors.toSet());
    }

    /** With a certificate: brokers, then users. Relays and sinks use that of the worker that they are in. */
    public List<String> certificateHolders(int brokers) {
        var names = IntStream.rangeClosed(1, brokers).mapToObj(id -> "kafka-" + id);
        return Stream.concat(names, logins().stream().filter(user -> !user.startsWith(RELAY) && !user.startsWith(SINK)))
                .toList();
    }

    /** The groups that the file names, not those that it only allows by the beginning of their names. */
    Set<String> groups() {
        return groups(_ -> true);
    }

    /** Those of them that services read in. */
    public Set<String> groupsOfServices() {
        return groups(user -> user.name.endsWith("-service"));
    }

    private Set<String> groups(Predicate<User> which) {
        return users.stream()
                .filter(which)
                .flatMap(user -> Stream.ofNullable(user.groups))
                .flatMap(List::stream)
                .filter(group -> !group.endsWith(PREFIX_OF))
                .collect(Collectors.toSet());
    }

    /** The names under which {@link Secrets} keeps their passwords. */
    public Set<String> secrets() {
        return logins().stream().map(Secrets::ofKafkaUser).collect(Collectors.toSet());
    }

    /**
     * Makes users, passwords and rules what the file and the secrets say; others are deleted. Connections
     * that are open stay so.
     */
    void apply(Admin admin, Secrets secrets) throws ExecutionException, InterruptedException {
        var presentUsers = admin.describeUserScramCredentials().all();
        var presentRules = admin.describeAcls(AclBindingFilter.ANY).values();
        // Always, as nobody can tell from a stored credential which password it is of.
        var credentials = new ArrayList<UserScramCredentialAlteration>();
        for (var user : logins()) {
            credentials.add(new UserScramCredentialUpsertion(
                    user,
                    new ScramCredentialInfo(MECHANISM, ITERATIONS),
                    KafkaLogin.of(secrets, user).password()));
        }
        presentUsers
                .get()
                .forEach((user, present) -> present.credentialInfos().stream()
                        .map(ScramCredentialInfo::mechanism)
                        .filter(mechanism -> mechanism != MECHANISM || !logins().contains(user))
                        .forEach(mechanism -> credentials.add(new UserScramCredentialDeletion(user, mechanism))));
        var altered = admin.alterUserScramCredentials(credentials).all();

        var rules = users.stream().flatMap(User::rules).collect(Collectors.toSet());
        var present = new HashSet<>(presentRules.get());
        var created = admin.createAcls(minus(rules, present)).all();
        var deleted = admin.deleteAcls(
                        minus(present, rules).stream().map(AclBinding::toFilter).toList())
                .all();
        altered.get();
        created.get();
        deleted.get();
    }

    private static Set<AclBinding> minus(Set<AclBinding> all, Set<AclBinding> others) {
        var rest = new HashSet<>(all);
        rest.removeAll(others);
        return rest;
    }
}
