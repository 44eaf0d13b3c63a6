package dev.orderly.console;

import io.quarkus.oidc.OidcSession;
import io.quarkus.security.Authenticated;
import io.smallrye.mutiny.Uni;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.Response;
import java.net.URI;
import java.util.regex.Pattern;

/** The beginning and the end of a session. */
@Path("/")
class LoginResource {

    /** A place in the page, and nowhere else. */
    private static final Pattern PLACE = Pattern.compile("#/[\\w/.-]{0,200}");

    private final OidcSession session;

    LoginResource(OidcSession session) {
        this.session = session;
    }

    /** Who has not logged in is sent to the provider before ({@code quarkus.http.auth.permission.login}). */
    @GET
    @Path("/login")
    @Authenticated
    public Response login(@QueryParam("next") String next) {
        var place = next != null && PLACE.matcher(next).matches() ? next : "";
        return Response.seeOther(URI.create("/" + place)).build();
    }

    @POST
    @Path("/logout")
    @Authenticated
    public Uni<Void> logout() {
        return session.logout();
    }
}
