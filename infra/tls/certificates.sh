#!/usr/bin/env bash
# Certificates for TLS: certificates.sh AUTHORITY FOLDER/NAME[:USER-ID]…
# Writes FOLDER/NAME.pem, a certificate with its new key, that this user alone can read, and beside it ca.pem, whose authority
# has signed it: that of the folder AUTHORITY, which is made if there is none. Run again, it renews: each file is replaced as a
# whole, so a key never lies beside another's certificate.
set -euo pipefail
umask 077

authority=$1
shift
lifetime=90 # days

command -v openssl >/dev/null || {
  echo "openssl is needed to make certificates, and is not installed" >&2
  exit 1
}

# $1: of whom. The other arguments are of openssl req, which otherwise wants the system's settings.
request() {
  openssl req -new -subj "/O=Orderly/CN=$1" -config <(printf '[req]\ndistinguished_name=none\n[none]\n%s' "$extensions") "${@:2}"
}

private_key() {
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256
}

if ! [ -s "$authority/ca.pem" ]; then
  mkdir -p -m 755 "$authority"
  private_key >"$authority/ca.key"
  extensions=$'[v3]\nbasicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign\n'
  request "certificates of this installation" -x509 -key "$authority/ca.key" -days 3650 -extensions v3 >"$authority/.new"
  chmod 644 "$authority/.new"
  mv -f "$authority/.new" "$authority/ca.pem"
fi

for certificate; do
  user=${certificate##*:}
  file=${certificate%:*}
  name=${file##*/}
  folder=${file%/*}
  # As before, unless it is said: PostgreSQL may run as another user.
  [ "$user" != "$certificate" ] || user=$(stat -c %u "$file.pem" 2>/dev/null || id -u)
  case $name in
    kafka-* | postgres) usage=serverAuth,clientAuth ;;
    *) usage=clientAuth ;; # whose key is stolen cannot pose as a server
  esac
  [ -d "$folder" ] || mkdir -m 755 "$folder"
  rm -f "$folder/.new" # of a run that was killed
  if [ "$folder" != "$authority" ]; then
    cp "$authority/ca.pem" "$folder/.new"
    chmod 644 "$folder/.new"
    mv -f "$folder/.new" "$folder/ca.pem"
  fi
  key=$(private_key)
  extensions=
  request "$name" -key <(printf '%s' "$key") |
    openssl x509 -req -CA "$authority/ca.pem" -CAkey "$authority/ca.key" -set_serial "0x$(openssl rand -hex 16)" \
      -days "$lifetime" -extfile <(printf '%s\n' "subjectAltName=DNS:$name,DNS:localhost,IP:127.0.0.1" \
        keyUsage=critical,digitalSignature "extendedKeyUsage=$usage") >"$folder/.new" 2>/dev/null
  printf '%s\n' "$key" >>"$folder/.new"
  chmod 400 "$folder/.new"
  chown "$user" "$folder/.new"
  mv -f "$folder/.new" "$file.pem"
done
