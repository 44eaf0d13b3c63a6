package dev.orderly.repository;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.orderly.platform.config.Checkout;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Keycloak in containers is the simulated provider's replacement: the same people, and tokens that pass. */
class KeycloakRealmTest {
    private static final String COMPOSE = "docker-compose.keycloak.yml";

    private final JsonNode realm = json("infra/keycloak/realm.json");

    @Test
    void it_has_the_people_of_the_simulated_provider_with_their_subjects_and_roles() {
        var people = new ArrayList<List<String>>();
        for (var person : json("infra/simulators/src/main/resources/dev/orderly/simulator/identity/people.json")) {
            people.add(List.of(
                    text(person, "name"),
                    text(person, "subject"),
                    person.path("roles").toString()));
        }
        var users = new ArrayList<List<String>>();
        for (var user : realm.path("users")) {
            users.add(List.of(
                    text(user, "username"),
                    text(user, "id"),
                    user.path("realmRoles").toString()));
        }

        assertThat(users).isEqualTo(people);
        assertThat(realm.at("/roles/realm").findValuesAsText("name")).containsExactly("customer", "clerk", "operator");
    }

    @Test
    void its_tokens_have_the_audience_issuer_and_roles_that_the_services_are_set_to() throws IOException {
        var settings = read("shared-events/src/main/resources/META-INF/microprofile-config.properties");
        var audience = first("OIDC_AUDIENCE:(\\w+)", settings);
        assertThat(realm.at("/clients/0/protocolMappers/0/config/included.custom.audience")
                        .asText())
                .isEqualTo(audience);

        var compose = read(COMPOSE);
        var host = first("KC_HOSTNAME: (\\S+)", compose);
        assertThat(first("OIDC_ISSUER: (\\S+)", compose)).isEqualTo(host + "/realms/" + text(realm, "realm"));
        assertThat(first("OIDC_JWKS_URL: (\\S+)", compose))
                .endsWith("/realms/" + text(realm, "realm") + "/protocol/openid-connect/certs");
        assertThat(compose).contains("OIDC_ROLES_CLAIM: realm_access/roles");
    }

    @Test
    void it_holds_no_password() {
        var passwords = realm.path("users").findValuesAsText("value");
        passwords.add(realm.at("/clients/0/secret").asText());

        assertThat(passwords).hasSize(realm.path("users").size() + 1).containsOnly("${IDENTITY_CLIENT_SECRET}");
    }

    private static String first(String pattern, String text) {
        var match = Pattern.compile(pattern).matcher(text);
        assertThat(match.find()).as(pattern).isTrue();
        return match.group(1);
    }

    private static String text(JsonNode node, String field) {
        return node.path(field).asText();
    }

    private static JsonNode json(String file) {
        try {
            return new JsonMapper().readTree(read(file));
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String read(String file) throws IOException {
        return Files.readString(Checkout.path().resolve(file));
    }
}
