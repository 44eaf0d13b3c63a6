#!/usr/bin/env bash
# Starts Apicurio Registry in a container of the official image, for docker-compose.registry.yml, as ./orderly does: its schemas
# are in PostgreSQL, and what a client may change of its settings while it runs is nothing.
set -euo pipefail
source /orderly/containers/read-secrets.sh

export APICURIO_STORAGE_KIND=sql APICURIO_STORAGE_SQL_KIND=postgresql
export APICURIO_DATASOURCE_URL=jdbc:postgresql://postgres:5432/registry
export APICURIO_DATASOURCE_USERNAME=registry APICURIO_DATASOURCE_PASSWORD=$REGISTRY_PASSWORD
export APICURIO_DATASOURCE_JDBC_INITIAL_SIZE=1 APICURIO_DATASOURCE_JDBC_MIN_SIZE=1 APICURIO_DATASOURCE_JDBC_MAX_SIZE=5
export APICURIO_CONFIG_DYNAMIC_ALLOW_ALL=false APICURIO_RULES_GLOBAL_COMPATIBILITY=BACKWARD_TRANSITIVE
export QUARKUS_HTTP_AUTH_BASIC=true QUARKUS_HTTP_AUTH_PERMISSION_ALL_PATHS='/*'
export QUARKUS_HTTP_AUTH_PERMISSION_ALL_POLICY=authenticated
export QUARKUS_SECURITY_USERS_EMBEDDED_PLAIN_TEXT=true QUARKUS_SECURITY_USERS_EMBEDDED_ROLES_ORDERLY=sr-admin
export QUARKUS_SECURITY_USERS_EMBEDDED_USERS_ORDERLY=$REGISTRY_CLIENT_PASSWORD
exec /opt/jboss/container/java/run/run-java.sh
