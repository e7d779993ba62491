#: docker differs history because Docker 20.10 has no start interval
#: buildah refuses because buildah tells names of stages apart by case
FrOm busybox aS Low
eNv a=B
LaBeL x=Y
eXpOsE 80
From low
onBuild Run echo x
healthcheck none
StopSignal SIGINT
