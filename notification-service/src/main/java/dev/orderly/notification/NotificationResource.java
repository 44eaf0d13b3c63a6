package dev.orderly.notification;

import dev.orderly.http.Caller;
import dev.orderly.http.UuidParameter;
import jakarta.annotation.security.RolesAllowed;
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

    private final Notifications notifications;
    private final Caller caller;

    NotificationResource(Notifications notifications, Caller caller) {
        this.notifications = notifications;
        this.caller = caller;
    }

    @GET
    @RolesAllowed({Caller.CUSTOMER, Caller.CLERK, Caller.OPERATOR})
    @Operation(
            summary = "The mails about an order",
            description =
                    "Empty for an order that has not ended yet, for an unknown order, and for another customer's.")
    @APIResponse(responseCode = "200", description = "Each mail, and whether it was sent")
    public List<Notification> find(
            @QueryParam("orderId")
                    @NotNull(message = "is required")
                    @Pattern(regexp = UuidParameter.PATTERN, message = UuidParameter.MESSAGE)
                    String orderId)
            throws SQLException {
        return notifications.find(UUID.fromString(orderId), caller.onlyCustomer());
    }
}
