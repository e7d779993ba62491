FROM busybox
LABEL "com.example.vendor"="A Company" \
      com.example.label-with-value="foo" \
      version="1.0"
LABEL description="This text \
spans lines" empty= "sp ace"=1
LABEL single='$HOME "quoted"' escaped=a\ b
