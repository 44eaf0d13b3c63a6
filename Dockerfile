# The image of a service:             docker build --target service --build-arg SERVICE=order-service -t orderly/order-service .
# The image of simulators and bootstrap: docker build --target platform -t orderly/platform .
# The image of the relay:             docker build --target connect -t orderly/connect .
# For the classic builder as well as for BuildKit; what is above the first ARG is built once for all of them.

FROM eclipse-temurin:25-jdk AS build
WORKDIR /src
COPY . .
# Nothing, where the checkout has been built already (./orderly build) and not changed since: then it needs no way from
# inside a container to Maven Central.
# What umask 077 left to its owner alone, the images' users must read.
RUN ./orderly jars && chmod -R a+rX .
# What the bootstrap container migrates the databases from, as it lies in the checkout.
RUN for application in *-service/target/quarkus-app; do \
      mkdir -p "/migrations/$application/lib/main" && cp -r "$application/app" "/migrations/$application/" && \
      cp "$application"/lib/main/dev.orderly.shared-events-*.jar "/migrations/$application/lib/main/" || exit; \
    done

FROM eclipse-temurin:25-jre AS platform
COPY --from=build /src/infra/services.json /orderly/infra/
COPY --from=build /src/infra/connect /orderly/infra/connect
COPY --from=build /src/infra/containers /orderly/infra/containers
COPY --from=build /src/infra/jvm /orderly/infra/jvm
COPY --from=build /src/infra/kafka /orderly/infra/kafka
COPY --from=build /src/infra/postgres /orderly/infra/postgres
COPY --from=build /migrations /orderly
COPY --from=build /src/infra/cli/target/lib /orderly/lib
COPY --from=build /src/infra/cli/target/cli.jar /orderly/lib/
COPY --from=build /src/infra/simulators/target/lib /orderly/simulators
COPY --from=build /src/infra/simulators/target/simulators.jar /orderly/simulators/
# A volume is made with the owner of what it covers.
RUN mkdir /var/lib/gateway && chown 10001:10001 /var/lib/gateway
USER 10001:10001
ENTRYPOINT ["bash", "/orderly/infra/containers/java.sh", "/orderly/infra/jvm/common.options", "/orderly/infra/jvm/jdk25.options", \
    "/orderly/infra/jvm/bootstrap.options", "--", "-Dorderly.checkout=/orderly", "-Dlog4j2.configurationFile=/orderly/infra/kafka/log4j2.properties", \
    "-cp", "/orderly/lib/*", "dev.orderly.cli.Main"]

# Beside Debezium, whose classes it extends: Connect gives each plugin a class loader.
FROM quay.io/debezium/connect:3.7 AS connect
COPY --from=build /src/infra/connect /orderly/connect
COPY --from=build /src/infra/containers /orderly/containers
COPY --from=build /src/infra/jvm /orderly/jvm
COPY --from=build /src/infra/kafka/log4j2.properties /orderly/kafka/
COPY --from=build /src/infra/relay/target/connect-plugins/debezium-connector-postgres/relay.jar /kafka/connect/debezium-connector-postgres/
# Not the image's: the task is tested with this version, and a later one handles failures in a way of its own.
COPY --from=build /src/infra/sink/target/connect-plugins /orderly/sink
COPY --from=build /src/infra/kafka/target/lib/connect-basic-auth-extension-*.jar /kafka/basic-auth/

# With the JMX exporter, for docker-compose.jmx.yml.
FROM connect AS observed-connect
COPY --from=build /src/infra/observability/jmx.yml /orderly/jmx/
COPY --from=build /src/infra/platform/target/observe/jmx_prometheus_javaagent.jar /orderly/jmx/

FROM apache/kafka:4.3.1 AS observed-broker
COPY --from=build /src/infra/containers /orderly/containers
COPY --from=build /src/infra/jvm /orderly/jvm
COPY --from=build /src/infra/kafka /orderly/kafka
COPY --from=build /src/infra/observability/jmx.yml /orderly/jmx/
COPY --from=build /src/infra/platform/target/observe/jmx_prometheus_javaagent.jar /orderly/jmx/

FROM eclipse-temurin:25-jre AS service
ARG SERVICE
COPY --from=build /src/infra/containers/answers.sh /src/infra/containers/java.sh /src/infra/containers/read-secrets.sh /usr/local/bin/
COPY --from=build /src/infra/jvm/common.options /src/infra/jvm/jdk25.options /src/infra/jvm/service-container.options /app/
# From what seldom changes to what always does.
COPY --from=build /src/$SERVICE/target/quarkus-app/lib /app/lib
COPY --from=build /src/$SERVICE/target/quarkus-app/quarkus /app/quarkus
COPY --from=build /src/$SERVICE/target/quarkus-app/quarkus-run.jar /app/
COPY --from=build /src/$SERVICE/target/quarkus-app/app /app/app
# A user that no image knows: it owns nothing, and may write to /tmp alone.
USER 10001:10001
# On every interface of the container's own network; to other machines the ports exist where they are published.
ENV HTTP_PORT=8080 MANAGEMENT_PORT=9000 QUARKUS_HTTP_HOST=0.0.0.0 QUARKUS_MANAGEMENT_HOST=0.0.0.0
# What collects the logs of containers reads JSON.
ENV QUARKUS_LOG_CONSOLE_JSON_ENABLED=true
EXPOSE 8080 9000
# JDK_JAVA_OPTIONS adds to the flags in these files, or overrides them.
ENTRYPOINT ["bash", "/usr/local/bin/java.sh", "/app/common.options", "/app/jdk25.options", \
    "/app/service-container.options", "--", "-jar", "/app/quarkus-run.jar"]
# Ready, not only alive: a container is not restarted for it, and people read it as "can be used".
HEALTHCHECK --interval=10s --timeout=4s --start-period=180s --retries=3 \
    CMD ["bash", "-c", "exec bash /usr/local/bin/answers.sh \"$MANAGEMENT_PORT\" /q/health/ready"]
