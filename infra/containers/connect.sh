#!/usr/bin/env bash
# Starts the Connect worker in a container of Debezium's image, to which Dockerfile adds our task, from the settings that
# ./orderly starts its worker from.
# KAFKA_BOOTSTRAP_SERVERS is where the brokers are.
set -euo pipefail
umask 077

# The image has connectors for a dozen databases; loading those that are not used here takes memory.
plugins=/tmp/plugins
classpath='/kafka/libs/*:/kafka/basic-auth/*' # the latter for an image without it
connector=/kafka/connect/debezium-connector-postgres
mkdir -p "$plugins"
if compgen -G "$connector/debezium-connector-postgres-*.jar" >/dev/null; then
  ln -sfn "$connector" "$plugins"
else # an image that has Debezium on the class path, where it can find our task on the class path alone
  classpath="$classpath:$connector/*"
fi

settings=/tmp/connect.properties
tls=/run/secrets/orderly/tls # there with docker-compose.tls.yml
{
  cat /orderly/connect/worker.properties
  cat <<END
bootstrap.servers=$KAFKA_BOOTSTRAP_SERVERS
sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required username="connect" password="$(</run/secrets/orderly/KAFKA_CONNECT_PASSWORD)";
listeners=http://:8083
rest.advertised.host.name=$HOSTNAME
plugin.path=$plugins
config.providers.secrets.param.allowed.paths=/run/secrets/orderly
END
  if [ -d "$tls" ]; then
    for of in "" producer.; do
      printf "$of%s\n" security.protocol=SASL_SSL ssl.truststore.type=PEM "ssl.truststore.location=$tls/ca.pem" \
        ssl.keystore.type=PEM "ssl.keystore.location=$tls/connect.pem"
    done
  fi
} >"$settings"

login=/tmp/login.conf users=/tmp/users.properties
(umask 077 && printf 'orderly=%s\n' "$(</run/secrets/orderly/CONNECT_PASSWORD)" >"$users")
echo "KafkaConnect {
  org.apache.kafka.connect.rest.basic.auth.extension.PropertyFileLoginModule required file=\"$users\";
};" >"$login"

exec java @/orderly/jvm/common.options @/orderly/jvm/connect.options -Djava.security.auth.login.config="$login" \
  -Dlog4j2.configurationFile=/orderly/kafka/log4j2.properties \
  -cp "$classpath" org.apache.kafka.connect.cli.ConnectDistributed "$settings"
