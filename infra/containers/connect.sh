#!/usr/bin/env bash
# Starts a Connect worker in a container of Debezium's image, to which Dockerfile adds our tasks, from the settings that
# ./orderly starts its workers from: that of the relays, or of the sinks (connect.sh sinks).
# KAFKA_BOOTSTRAP_SERVERS is where the brokers are.
set -euo pipefail
umask 077

secrets=/run/secrets/orderly
settings=/tmp/connect.properties
case ${1:-relays} in
  relays)
    user=connect password=KAFKA_CONNECT_PASSWORD connector=/kafka/connect/debezium-connector-postgres worker=worker.properties
    start=(org.apache.kafka.connect.cli.ConnectDistributed "$settings")
    clients=("" producer.)
    own="config.providers.secrets.param.allowed.paths=$secrets"
    ;;
  sinks)
    user=sinks password=KAFKA_SINKS_PASSWORD connector=/orderly/sink/debezium-connector-jdbc worker=sink-worker.properties
    start=(org.apache.kafka.connect.cli.ConnectStandalone "$settings" /orderly/connect/{erp,crm}-sink.json)
    clients=("" consumer. producer.)
    own=offset.storage.file.filename=/tmp/offsets
    source /orderly/containers/read-secrets.sh # what its connectors refer to
    ;;
esac

# The image has connectors for a dozen databases; loading those that are not used here takes memory.
plugins=/tmp/plugins
classpath='/kafka/libs/*:/kafka/basic-auth/*' # the latter for an image without it
mkdir -p "$plugins"
if compgen -G "$connector/${connector##*/}-*.jar" >/dev/null; then
  ln -sfn "$connector" "$plugins"
else # an image that has Debezium on the class path, where it can find our task on the class path alone
  classpath="$classpath:$connector/*"
fi

tls=$secrets/tls # there with docker-compose.tls.yml
{
  cat "/orderly/connect/$worker"
  cat <<END
bootstrap.servers=$KAFKA_BOOTSTRAP_SERVERS
sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required username="$user" password="$(<"$secrets/$password")";
listeners=http://:8083
rest.advertised.host.name=$HOSTNAME
plugin.path=$plugins
$own
END
  if [ -d "$tls" ]; then
    for of in "${clients[@]}"; do
      printf "$of%s\n" security.protocol=SASL_SSL ssl.truststore.type=PEM "ssl.truststore.location=$tls/ca.pem" \
        ssl.keystore.type=PEM "ssl.keystore.location=$tls/$user.pem"
    done
  fi
} >"$settings"

login=/tmp/login.conf users=/tmp/users.properties
(umask 077 && printf 'orderly=%s\n' "$(<"$secrets/CONNECT_PASSWORD")" >"$users")
echo "KafkaConnect {
  org.apache.kafka.connect.rest.basic.auth.extension.PropertyFileLoginModule required file=\"$users\";
};" >"$login"

java=(java)
[ -z "${JMX_EXPORTER:-}" ] || java+=("-javaagent:$JMX_EXPORTER") # with docker-compose.jmx.yml
exec "${java[@]}" @/orderly/jvm/common.options @/orderly/jvm/connect.options -Djava.security.auth.login.config="$login" \
  -Dlog4j2.configurationFile=/orderly/kafka/log4j2.properties \
  -cp "$classpath" "${start[@]}"
