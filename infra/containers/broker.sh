#!/usr/bin/env bash
# Starts a Kafka broker in a container of the official image from the settings that ./orderly starts its brokers from.
# BROKER is its number, BROKERS how many there are, HOST_PORT the port by which this machine's own clients reach it.
set -euo pipefail

settings=/tmp/broker.properties
voters=1@kafka-1:9093
for ((id = 2; id <= BROKERS; id++)); do
  voters+=",$id@kafka-$id:9093"
done
{
  cat /orderly/kafka/broker.properties
  ((BROKERS > 1)) || cat /orderly/kafka/single-broker.properties
  cat <<END
node.id=$BROKER
controller.quorum.voters=$voters
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,HOST:PLAINTEXT,CONTROLLER:PLAINTEXT
listeners=PLAINTEXT://:9092,HOST://:$HOST_PORT,CONTROLLER://:9093
advertised.listeners=PLAINTEXT://kafka-$BROKER:9092,HOST://localhost:$HOST_PORT
log.dirs=/var/lib/kafka/data
END
} >"$settings"

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
exec "${java[@]}" kafka.Kafka "$settings"
