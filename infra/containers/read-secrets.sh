# To be sourced: what secrets.sh gave this container becomes its environment. A variable that is set already wins.
for file in /run/secrets/orderly/*; do
  name=${file##*/}
  if [ -f "$file" ] && [ -z "${!name:-}" ]; then
    export "$name=$(<"$file")"
  fi
done
