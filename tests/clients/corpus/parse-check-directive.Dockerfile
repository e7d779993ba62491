# check=skip=JSONArgsRecommended,StageNameCasing
FROM busybox AS Upper
CMD echo shell
