package dev.orderly.messaging;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.hamcrest.Matchers.containsString;

import dev.orderly.testing.ProblemAssert;
import dev.orderly.testing.Tokens;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import java.io.IOException;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a service does when the identity provider changes its keys, or is away. */
@QuarkusTest
@TestProfile(IntegrationTest.Service.class)
class TokenVerificationTest extends IntegrationTest {

    @AfterEach
    void restore() throws IOException, InterruptedException {
        Tokens.serve(Tokens.providersKey());
    }

    @Test
    void a_key_that_was_rotated_in_is_found_and_all_known_ones_serve_while_the_provider_is_away() throws Exception {
        var rotated = Tokens.newKey("rotated-" + UUID.randomUUID());
        assertThat(statusWith(Tokens.of("olga", Tokens.OPERATOR))).isEqualTo(200);

        Tokens.serve(Tokens.providersKey(), rotated);

        // Keys are fetched again at most every few seconds.
        await().until(() -> statusWith(Tokens.signedBy(rotated, "olga", Tokens.OPERATOR)) == 200);

        Tokens.serve();

        assertThat(statusWith(Tokens.signedBy(rotated, "olga", Tokens.OPERATOR)))
                .isEqualTo(200);
        assertThat(statusWith(Tokens.of("olga", Tokens.OPERATOR))).isEqualTo(200);
        assertThat(statusWith(Tokens.signedBy(Tokens.newKey("unknown"), "olga", Tokens.OPERATOR)))
                .isIn(401, 503);
    }

    @Test
    void who_is_rejected_is_told_how_to_get_a_token() {
        ProblemAssert.assertProblem(
                        given().header("Authorization", "Bearer x")
                                .get("/parked-events")
                                .then(),
                        401)
                .header("WWW-Authenticate", "Bearer")
                .body("detail", containsString("./orderly token NAME"));
        ProblemAssert.assertProblem(
                        given().header("Authorization", "Basic eDp5")
                                .get("/parked-events")
                                .then(),
                        401)
                .header("WWW-Authenticate", "Bearer")
                .body("detail", containsString("./orderly token NAME"));
        ProblemAssert.assertProblem(
                        given().header("Authorization", "Bearer " + Tokens.of("carl", Tokens.CLERK))
                                .get("/parked-events")
                                .then(),
                        403)
                .body("detail", containsString("None of the roles"));
    }

    private static int statusWith(String token) {
        return given().header("Authorization", "Bearer " + token)
                .get("/parked-events")
                .statusCode();
    }
}
