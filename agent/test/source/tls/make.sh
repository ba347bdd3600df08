#!/bin/sh
# Makes the certificates of the tests anew, valid from 2020 to 2120. They protect nothing.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
touch "$work/index.txt"
cat >"$work/ca.conf" <<CONF
[ca]
default_ca = tests
[tests]
database = $work/index.txt
new_certs_dir = $work
rand_serial = yes
default_md = sha256
policy = any
copy_extensions = copy
unique_subject = no
[any]
commonName = supplied
[authority]
basicConstraints = critical,CA:TRUE
[leaf]
basicConstraints = CA:FALSE
CONF
issue() { # file, common name, extension of the request, section, first day, last day, options…
  file=$1 name=$2 extension=$3 section=$4 from=$5 to=$6
  shift 6
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$file.key.pem" 2>/dev/null
  openssl req -new -key "$file.key.pem" -subj "/CN=$name" -addext "$extension" -out "$work/$file.csr"
  openssl ca -batch -notext -config "$work/ca.conf" -extensions "$section" -startdate "${from}000000Z" \
    -enddate "${to}000000Z" -in "$work/$file.csr" -out "$file.pem" "$@" 2>/dev/null
}
local='subjectAltName=DNS:localhost,IP:127.0.0.1'
signed='-cert ca.pem -keyfile ca.key.pem'
issue ca 'pullwire test authority' 'keyUsage=keyCertSign' authority 20200101 21200101 \
  -selfsign -keyfile ca.key.pem
issue server localhost "$local" leaf 20200101 21200101 $signed
issue elsewhere elsewhere.invalid 'subjectAltName=DNS:elsewhere.invalid' leaf 20200101 21200101 $signed
issue client agent 'extendedKeyUsage=clientAuth' leaf 20200101 21200101 $signed
issue expired localhost "$local" leaf 20200101 20200102 $signed
rm ca.key.pem
