package dev.orderly.notification;

import jakarta.validation.constraints.NotNull;
import jakarta.validation.constraints.Pattern;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.QueryParam;
import java.sql.SQLException;
import java.util.List;
import java.util.UUID;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;

/** The messages about an order. */
@Path("/notifications")
public class NotificationResource {

    // A String: JAX-RS answers 404 for a query parameter that it cannot convert.
    private static final String UUID_PATTERN = "\\p{XDigit}{8}(-\\p{XDigit}{4}){3}-\\p{XDigit}{12}";

    private final Notifications notifications;

    NotificationResource(Notifications notifications) {
        this.notifications = notifications;
    }

    @GET
    @Operation(
            summary = "The mails about an order",
            description = "Empty for an order that has not ended yet, and for an unknown order.")
    @APIResponse(responseCode = "200", description = "Each mail, and whether it was sent")
    public List<Notification> find(
            @QueryParam("orderId")
                    @NotNull(message = "is required")
                    @Pattern(regexp = UUID_PATTERN, message = "must be a UUID")
                    String orderId)
            throws SQLException {
        return notifications.find(UUID.fromString(orderId));
    }
}
