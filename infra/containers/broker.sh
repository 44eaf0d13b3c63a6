#!/usr/bin/env bash
# Starts a Kafka broker in a container of the official image from the settings that ./orderly starts its brokers from.
# BROKER is its number, BROKERS how many there are, HOST_PORT the port by which this machine's own clients reach it, OPEN_PORT,
# if any, the one where they do not log in.
set -euo pipefail
source /orderly/containers/read-secrets.sh
umask 077

settings=/tmp/broker.properties
voters=1@kafka-1:9093
for ((id = 2; id <= BROKERS; id++)); do
  voters+=",$id@kafka-$id:9093"
done
listeners="CLIENT://:9092,INTERNAL://:9094,HOST://:$HOST_PORT,CONTROLLER://:9093"
advertised="CLIENT://kafka-$BROKER:9092,INTERNAL://kafka-$BROKER:9094,HOST://localhost:$HOST_PORT"
tls=/run/secrets/orderly/tls # there with docker-compose.tls.yml
if [ -n "${OPEN_PORT:-}" ]; then
  listeners+=,OPEN://:29092
  advertised+=,OPEN://localhost:$OPEN_PORT
fi
login="org.apache.kafka.common.security.plain.PlainLoginModule required username=\"broker\" password=\"$KAFKA_BROKER_PASSWORD\""
login+=" user_broker=\"$KAFKA_BROKER_PASSWORD\""
{
  cat /orderly/kafka/broker.properties
  ((BROKERS > 1)) || cat /orderly/kafka/single-broker.properties
  if [ -d "$tls" ]; then
    cat /orderly/kafka/tls.properties
    printf '%s\n' "ssl.truststore.location=$tls/ca.pem" "ssl.keystore.location=$tls/kafka-$BROKER.pem"
  fi
  cat <<END
node.id=$BROKER
controller.quorum.voters=$voters
listeners=$listeners
advertised.listeners=$advertised
listener.name.internal.plain.sasl.jaas.config=$login user_admin="$KAFKA_ADMIN_PASSWORD";
listener.name.controller.plain.sasl.jaas.config=$login;
log.dirs=/var/lib/kafka/data
END
} >"$settings"
unset KAFKA_BROKER_PASSWORD KAFKA_ADMIN_PASSWORD login

# A broker that starts on a full disk takes its logs for corrupt and truncates them. The launcher waits likewise.
free_kilobytes() {
  df -Pk /var/lib/kafka/data | { read -r _ && read -r _ _ _ free _ && echo "$free"; }
}
while free=$(free_kilobytes) && [[ $free =~ ^[0-9]+$ ]] && ((free < 256 * 1024)); do
  echo "waiting for 256 MB of free disk space"
  sleep 5
done

java=(java @/orderly/jvm/common.options @/orderly/jvm/broker.options -Dlog4j2.configurationFile=/orderly/kafka/log4j2.properties
  -cp '/opt/kafka/libs/*')
"${java[@]}" kafka.tools.StorageTool format --ignore-formatted --cluster-id "$(cat /orderly/kafka/cluster-id)" --config "$settings"
[ -z "${JMX_EXPORTER:-}" ] || java+=("-javaagent:$JMX_EXPORTER") # with docker-compose.jmx.yml
exec "${java[@]}" kafka.Kafka "$settings"
