package dev.orderly.console.demo;

import dev.orderly.console.config.Problem;
import jakarta.annotation.security.RolesAllowed;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.DELETE;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.common.errors.GroupIdNotFoundException;
import org.apache.kafka.common.errors.GroupNotEmptyException;
import org.jboss.resteasy.reactive.ResponseStatus;

/** What operators do to a demo: break it, load it, grow it, and see whether it keeps its promises. */
@Path("/api")
@RolesAllowed("operator")
@Produces(MediaType.APPLICATION_JSON)
@Consumes(MediaType.APPLICATION_JSON)
class DemoResource {

    static final int MAX_PARTITIONS = 24;

    private final Faults faults;
    private final OrderLoad load;
    private final Checks checks;
    private final Instances instances;
    private final PartitionGrowth growth;
    private final DemoPlatform platform;

    DemoResource(
            Faults faults,
            OrderLoad load,
            Checks checks,
            Instances instances,
            PartitionGrowth growth,
            DemoPlatform platform) {
        this.faults = faults;
        this.load = load;
        this.checks = checks;
        this.instances = instances;
        this.growth = growth;
        this.platform = platform;
    }

    /** @param result a sentence, for the visitor */
    record Injected(String result) {}

    record Rate(int ratePerSecond) {}

    record Partitions(int partitions) {}

    @GET
    @Path("/faults")
    public List<Faults.Fault> faults() {
        return faults.list();
    }

    @POST
    @Path("/faults/{kind}")
    @Consumes(MediaType.WILDCARD)
    @ResponseStatus(202)
    public Injected inject(@PathParam("kind") String kind) {
        return new Injected(faults.inject(kind));
    }

    @GET
    @Path("/load")
    public OrderLoad.Status load() {
        platform.state();
        return load.status();
    }

    @POST
    @Path("/load")
    public OrderLoad.Status load(Rate wanted) {
        require(
                wanted != null && wanted.ratePerSecond >= 0 && wanted.ratePerSecond <= OrderLoad.MAX_RATE,
                "ratePerSecond is 0 to " + OrderLoad.MAX_RATE);
        return load.set(wanted.ratePerSecond);
    }

    @GET
    @Path("/checks")
    public List<Checks.Check> checks() {
        return checks.look();
    }

    @GET
    @Path("/instances")
    public List<Instances.Instance> instances() {
        return instances.list();
    }

    @POST
    @Path("/instances/{service}")
    @Consumes(MediaType.WILDCARD)
    @ResponseStatus(202)
    public Instances.Instance add(@PathParam("service") String service) {
        return instances.add(service);
    }

    @DELETE
    @Path("/instances/{id}")
    public void remove(@PathParam("id") String id) throws IOException {
        instances.remove(id);
    }

    @GET
    @Path("/topic/partitions")
    public PartitionGrowth.Status partitions() {
        return growth.status();
    }

    @POST
    @Path("/topic/partitions")
    @ResponseStatus(202)
    public PartitionGrowth.Status grow(Partitions wanted) {
        require(
                wanted != null && wanted.partitions >= 1 && wanted.partitions <= MAX_PARTITIONS,
                "partitions is 1 to " + MAX_PARTITIONS);
        return growth.grow(wanted.partitions);
    }

    /** Removes a group that nobody is a member of, and that is not the system's own. */
    @DELETE
    @Path("/groups/{group}")
    public void removeGroup(@PathParam("group") String group) throws InterruptedException {
        platform.state(); // or there is none
        if (platform.ownGroups().contains(group)) {
            throw Problem.of(409, "The system itself reads in " + group + ": it would begin again.");
        }
        try (var admin = platform.admin()) {
            admin.deleteConsumerGroups(List.of(group)).all().get();
        } catch (ExecutionException e) {
            throw switch (e.getCause()) {
                case GroupNotEmptyException _ -> Problem.of(409, "The group has members.");
                case GroupIdNotFoundException _ -> Problem.of(404, "There is no group " + group + ".");
                default -> Problem.of(503, "The brokers do not do it now. Try again.");
            };
        }
    }

    private static void require(boolean valid, String message) {
        if (!valid) {
            throw Problem.of(400, message);
        }
    }
}
