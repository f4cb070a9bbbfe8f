# Read by the entrypoint of MariaDB's image when its volume is empty: a database and a user for each service.
# The passwords were made by docker/make_secrets.py and hold no quote.

for name in gm_async_task gm_service; do
    password=$(cat "${MARIADB_SECRETS:-/run/secrets}/mariadb_${name}_password")
    docker_process_sql <<SQL
CREATE DATABASE $name CHARACTER SET utf8mb4;
CREATE USER '$name'@'%' IDENTIFIED BY '$password';
GRANT ALL PRIVILEGES ON $name.* TO '$name'@'%';
SQL
done
unset password
