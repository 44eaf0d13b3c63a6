#!/usr/bin/env bash
# Makes the passwords and keys of docker-compose.yml, once, and gives each container its own, in a volume that it alone mounts
# and only its user can read. A value in the environment, or in .env, wins at every start. Runs as root, before all others.
set -euo pipefail
umask 077

all=/secrets/all # what was made; the other folders are copies of some of it

random() {
  head -c 24 /dev/urandom | od -An -v -tx1 | tr -d ' \n'
}

# Stores the secret $1, if it is new.
keep() {
  local value=${!1:-}
  if [ -z "$value" ] && [ -s "$all/$1" ]; then
    return
  fi
  if [ -z "$value" ]; then
    value=$(random)
    case $1 in
      *_CALLBACK_SECRETS) value+=,$(random) ;; # signed with the first, accepted with either: so one can be replaced
    esac
  fi
  printf %s "$value" >"$all/.new"
  mv -f "$all/.new" "$all/$1"
}

# give CONTAINER USER-ID SECRET…; FILE=SECRET where the container knows it by another name.
give() {
  local folder=/secrets/$1 user=$2 name
  shift 2
  rm -rf "$folder"/* # also of a version that gave it more, and certificates: who wants them makes them again
  for name; do
    keep "${name#*=}"
    cp "$all/${name#*=}" "$folder/.new"
    chmod 400 "$folder/.new"
    chown "$user" "$folder/.new"
    mv -f "$folder/.new" "$folder/${name%%=*}"
  done
  chmod 500 "$folder"
  chown "$user" "$folder"
}

relays=(ORDERS_RELAY_PASSWORD INVENTORY_RELAY_PASSWORD PAYMENTS_RELAY_PASSWORD NOTIFICATIONS_RELAY_PASSWORD)
owners=("${relays[@]/RELAY/OWNER}")
applications=("${relays[@]/RELAY/APP}")
kafka_relays=(KAFKA_RELAY_ORDERS_PASSWORD KAFKA_RELAY_INVENTORY_PASSWORD KAFKA_RELAY_PAYMENTS_PASSWORD
  KAFKA_RELAY_NOTIFICATIONS_PASSWORD)
kafka_services=(KAFKA_ORDER_SERVICE_PASSWORD KAFKA_INVENTORY_SERVICE_PASSWORD KAFKA_PAYMENT_SERVICE_PASSWORD
  KAFKA_NOTIFICATION_SERVICE_PASSWORD KAFKA_CONSOLE_PASSWORD)
registry=() registry_client=()
if [ -d /secrets/registry ]; then # with docker-compose.registry.yml
  registry=(REGISTRY_PASSWORD) registry_client=(ORDERLY_REGISTRY_PASSWORD=REGISTRY_CLIENT_PASSWORD)
fi
kafka_sinks=(KAFKA_SINKS_PASSWORD KAFKA_SINK_ERP_PASSWORD KAFKA_SINK_CRM_PASSWORD)
sinks=()
[ ! -d /secrets/sinks ] || sinks=(ERP_SINK_PASSWORD CRM_SINK_PASSWORD) # with docker-compose.erp-crm.yml
ours=10001

give postgres 999 POSTGRES_PASSWORD
give broker 1000 KAFKA_BROKER_PASSWORD KAFKA_ADMIN_PASSWORD
give bootstrap "$ours" POSTGRES_PASSWORD MONITOR_PASSWORD CONNECT_PASSWORD "${owners[@]}" "${applications[@]}" "${relays[@]}" \
  KAFKA_ADMIN_PASSWORD KAFKA_READER_PASSWORD KAFKA_CONNECT_PASSWORD "${kafka_relays[@]}" "${kafka_services[@]}" \
  "${kafka_sinks[@]}" ${registry[@]+"${registry[@]}"} ${sinks[@]+"${sinks[@]}"}
[ ! -d /secrets/registry ] || give registry 1001 REGISTRY_PASSWORD REGISTRY_CLIENT_PASSWORD
give postgres-exporter 65534 MONITOR_PASSWORD
give connect 1001 CONNECT_PASSWORD "${relays[@]}" KAFKA_CONNECT_PASSWORD "${kafka_relays[@]}"
[ ! -d /secrets/sinks ] || give sinks 1001 CONNECT_PASSWORD "${sinks[@]}" "${kafka_sinks[@]}"
give simulators "$ours" SMS_API_KEY IDENTITY_CLIENT_SECRET GATEWAY_API_KEY GATEWAY_CALLBACK_SECRETS
[ ! -d /secrets/keycloak ] || give keycloak 1000 IDENTITY_CLIENT_SECRET # with docker-compose.keycloak.yml
give console "$ours" KAFKA_PASSWORD=KAFKA_CONSOLE_PASSWORD CONSOLE_SESSION_KEY SMS_API_KEY \
  ${registry_client[@]+"${registry_client[@]}"}
give order-service "$ours" DB_APP_PASSWORD=ORDERS_APP_PASSWORD KAFKA_PASSWORD=KAFKA_ORDER_SERVICE_PASSWORD VERIFICATION_KEY \
  ${registry_client[@]+"${registry_client[@]}"}
give inventory-service "$ours" DB_APP_PASSWORD=INVENTORY_APP_PASSWORD KAFKA_PASSWORD=KAFKA_INVENTORY_SERVICE_PASSWORD \
  ${registry_client[@]+"${registry_client[@]}"}
give payment-service "$ours" DB_APP_PASSWORD=PAYMENTS_APP_PASSWORD KAFKA_PASSWORD=KAFKA_PAYMENT_SERVICE_PASSWORD \
  ORDERLY_GATEWAY_API_KEY=GATEWAY_API_KEY ORDERLY_GATEWAY_CALLBACK_SECRETS=GATEWAY_CALLBACK_SECRETS \
  ${registry_client[@]+"${registry_client[@]}"}
give notification-service "$ours" DB_APP_PASSWORD=NOTIFICATIONS_APP_PASSWORD \
  KAFKA_PASSWORD=KAFKA_NOTIFICATION_SERVICE_PASSWORD VERIFICATION_KEY SMS_API_KEY \
  ${registry_client[@]+"${registry_client[@]}"}
